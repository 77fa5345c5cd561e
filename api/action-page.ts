const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Key ids and addresses come from outside. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/**
 * A page of one sentence, and a button that posts to the page's own address. No script, nothing from elsewhere: it works in
 * whatever opens links of mails.
 */
export function actionPage(text: string, button?: string): string {
  const form = button === undefined ? '' : `<form method="post"><button>${escaped(button)}</button></form>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Keytally</title></head>
<body><main><h1>Keytally</h1><p>${escaped(text)}</p>${form}</main></body></html>
`;
}
