import type { ComponentChildren } from 'preact';

/** Out of a form that nobody has saved: in its own tab the link would throw away what was typed. */
export function NewTabLink({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
      <span class="sr-only"> (new tab)</span>
    </a>
  );
}
