/** Where keys have a meaning of their own. */
const TYPING = 'input, select, textarea, [contenteditable], [role="group"], .scroll-table, dialog';

/** A key meant for the page: not while typing, and never with a modifier (Alt+Left is the browser's own "back"). */
export function plainKey(event: KeyboardEvent): string | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return null;
  // Through shadow roots: at the document, an event from inside the web component is retargeted to its host.
  const target = event.composedPath()[0];
  if (target instanceof Element && target.closest(TYPING)) return null;
  return event.key;
}
