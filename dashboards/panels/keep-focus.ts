/**
 * For a control that is about to go: when nothing else takes the focus, the page's heading gets it. Left on `body`, whoever
 * works by keyboard or listens starts again at the top of the page.
 */
export function keepFocus(): void {
  // After the drawing under way: only then is it known what is left, and which page.
  queueMicrotask(() => {
    if (document.activeElement !== document.body) return;
    const heading = document.querySelector<HTMLElement>('main h1');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus();
  });
}
