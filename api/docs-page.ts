/** The documentation page, made on the server from the OpenAPI document: no script, nothing loaded from elsewhere. */

type Json = Record<string, unknown>;
interface Operation {
  summary: string;
  'x-scope': string;
  parameters?: { name: string; in: string; required: boolean; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!);

function typeOf(schema: Json): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map((part) => typeOf(part as Json)).join(' | ');
  const type = String(schema.format ?? schema.type ?? 'any');
  return schema.default === undefined ? type : `${type}, default ${JSON.stringify(schema.default)}`;
}

function parameterRow({ name, in: place, required, schema }: NonNullable<Operation['parameters']>[number]): string {
  const note = typeof schema.description === 'string' ? `: ${escapeHtml(schema.description)}` : '';
  return `<tr><td><code>${escapeHtml(name)}</code>${required ? ' *' : ''}</td><td>${place}</td><td>${escapeHtml(typeOf(schema))}${note}</td></tr>`;
}

function schemaBlock(title: string, schema: Json | undefined): string {
  if (!schema || Object.keys(schema).length === 0) return '';
  return `<details><summary>${title}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`;
}

function operationBlock(path: string, method: string, operation: Operation): string {
  const rows = (operation.parameters ?? []).map(parameterRow).join('');
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
    schemaBlock(`Body, ${type}`, schema),
  );
  const answers = Object.entries(operation.responses).map(([status, { content }]) =>
    schemaBlock(`Answer, ${status}`, content?.['application/json']?.schema),
  );
  const statuses = Object.entries(operation.responses).map(
    ([status, { description }]) => `<tr><td>${status}</td><td>${escapeHtml(description)}</td></tr>`,
  );
  return `<section><h2><span class="method">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code></h2>
<p>${escapeHtml(operation.summary)} <span class="scope">${operation['x-scope'] === 'none' ? 'open' : `scope ${operation['x-scope']}`}</span></p>
${rows ? `<table><thead><tr><th>parameter</th><th>in</th><th>type</th></tr></thead><tbody>${rows}</tbody></table>` : ''}
${bodies.join('')}${answers.join('')}
<details><summary>Statuses</summary><table>${statuses.join('')}</table></details></section>`;
}

export const DOCS_STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.05rem;margin:2rem 0 .2rem}.method{color:#0b6e4f;font-weight:700}.scope{color:#5b6472;font-size:.85rem;margin-left:.5rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{border-bottom:1px solid #dfe3ea;padding:.3rem .5rem;text-align:left;vertical-align:top}
pre{background:#f4f6f9;padding:.8rem;overflow:auto;font-size:.8rem}summary{cursor:pointer;color:#2457c5}
@media(prefers-color-scheme:dark){body{background:#12161d;color:#e6e9ef}.method{color:#5fd3a5}.scope{color:#9aa4b2}td,th{border-color:#2a323d}pre{background:#1a2029}summary{color:#8fb3ff}}`;

export function docsPage(document: {
  paths: Record<string, Record<string, unknown>>;
  info: { version: string };
}): string {
  const blocks = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationBlock(path, method, operation as Operation)),
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Keytally API</title><link rel="stylesheet" href="/docs.css"></head><body>
<h1>Keytally API ${escapeHtml(document.info.version)}</h1>
<p>JSON, snake_case, units in names, RFC 3339 UTC times; errors as RFC 9457 <code>application/problem+json</code>.
Send <code>Authorization: Bearer kt_…</code>. Machine-readable: <a href="/openapi.json">/openapi.json</a>.</p>
${blocks.join('\n')}</body></html>`;
}
