interface LegendItemProps {
  /** Names the swatch's colour and pattern in the style sheet. */
  look: string;
  label: string;
  value?: string;
}

export function LegendItem({ look, label, value }: LegendItemProps) {
  return (
    <span class="legend-item">
      <i class={`swatch swatch-${look}`} aria-hidden="true" />
      {label}
      {value !== undefined && <b>{value}</b>}
    </span>
  );
}
