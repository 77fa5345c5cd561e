import type { ComponentChildren } from 'preact';
import { go } from './location.ts';

interface LinkProps {
  href: string;
  class?: string;
  current?: boolean;
  children: ComponentChildren;
}

/** An ordinary link: middle click, modifiers and "copy address" work, a plain click stays in the page. */
export function Link({ href, class: look, current, children }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
    window.scrollTo(0, 0);
  };
  return (
    <a href={href} class={look} aria-current={current ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  );
}
