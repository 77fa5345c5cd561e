interface TextProps {
  value: string | null | undefined;
  class?: string;
  /** What stands there when the value is missing. */
  empty?: string;
}

/** A browser lays a 4 KB title out over the whole screen. */
const TITLE_LENGTH = 300;

/**
 * Text that somebody else wrote: names, routes, user agents. Isolated, so that right-to-left marks turn nothing but
 * themselves around, and cut by the style sheet, so that 4 KB of it do not widen the page.
 */
export function HostileText({ value, class: extra = '', empty = '–' }: TextProps) {
  if (!value) return <span class="dim">{empty}</span>;
  const title = value.length > TITLE_LENGTH ? `${value.slice(0, TITLE_LENGTH)}…` : value;
  return (
    <bdi class={`cut ${extra}`} title={title}>
      {value.length > 1000 ? `${value.slice(0, 1000)}…` : value}
    </bdi>
  );
}
