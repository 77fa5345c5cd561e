/** Whether a rule does anything by itself. */
export function OnOff({ on }: { on: boolean }) {
  return <span class={on ? 'badge badge-active' : 'badge badge-off'}>{on ? 'on' : 'off'}</span>;
}
