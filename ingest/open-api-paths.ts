import { decode, endOfPath, startOfPath } from './route-template.ts';

/** One endpoint of an OpenAPI document. */
export interface Endpoint {
  /** Upper case. */
  method: string;
  template: string;
}

interface RouteNode {
  literals: Map<string, RouteNode>;
  /** Segments such as `{id}.json` or `{name}:cancel`: text around one parameter. */
  partials: { before: string; after: string; node: RouteNode }[];
  parameter: RouteNode | undefined;
  /** `{proxy+}`: the rest of the path. */
  rest: RouteNode | undefined;
  templates: Map<string, string>;
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);
/** More paths than this are not an API description. */
const MAX_OPENAPI_PATHS = 20_000;

function newNode(): RouteNode {
  return { literals: new Map(), partials: [], parameter: undefined, rest: undefined, templates: new Map() };
}

/**
 * The `paths` of an OpenAPI document, compiled once, so that a request's template is exact instead of derived.
 * A literal segment beats `{id}.json`, which beats `{id}`, which beats `{rest+}`; a dead end falls back to the next.
 */
export class OpenApiPaths {
  /** Every operation of the document, to list the ones never called. */
  readonly endpoints: readonly Endpoint[];
  readonly #root = newNode();
  /** Path part of `servers[].url` or `basePath`: a gateway may log the path with or without it. */
  readonly #basePaths: string[];

  /** @param document a parsed OpenAPI 3 or Swagger 2 document; what is not understood in it is ignored */
  constructor(document: unknown) {
    const root = isObject(document) ? document : {};
    this.#basePaths = basePathsOf(root);
    const endpoints: Endpoint[] = [];
    const paths = isObject(root.paths) ? root.paths : {};
    for (const template of Object.keys(paths).slice(0, MAX_OPENAPI_PATHS)) {
      const item = paths[template];
      if (!template.startsWith('/') || !isObject(item)) continue;
      const methods = Object.keys(item).filter((name) => METHODS.has(name));
      const node = insert(this.#root, template);
      for (const name of methods) {
        const method = name.toUpperCase();
        if (node.templates.has(method)) continue;
        node.templates.set(method, template);
        endpoints.push({ method, template });
      }
      if (!node.templates.has('')) node.templates.set('', template);
    }
    this.endpoints = endpoints;
  }

  /**
   * @param method any case
   * @param path path as requested, query ignored
   * @returns the document's own template, `''` when no path fits. A known path under a method the document does not
   *   have (HEAD, a 405) still gets its template.
   */
  match(method: string, path: string): string {
    const end = endOfPath(path);
    const wanted = path.slice(startOfPath(path, end), end);
    const segments = splitPath(wanted);
    const upper = method.toUpperCase();
    return this.#findAtBases(wanted, segments, upper) || this.#findAtBases(wanted, segments, '');
  }

  #findAtBases(wanted: string, segments: readonly string[], method: string): string {
    for (const base of this.#basePaths) {
      if (!wanted.startsWith(base) || (wanted.length > base.length && wanted[base.length] !== '/')) continue;
      const found = find(this.#root, segments, splitPath(base).length, method);
      if (found !== '') return found;
    }
    return find(this.#root, segments, 0, method);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function basePathsOf(document: Record<string, unknown>): string[] {
  const urls: unknown[] = [document.basePath];
  if (Array.isArray(document.servers)) {
    for (const server of document.servers.slice(0, 20)) if (isObject(server)) urls.push(server.url);
  }
  const bases = new Set<string>();
  for (const url of urls) {
    if (typeof url !== 'string' || url.length > 500) continue;
    const end = endOfPath(url);
    const base = '/' + splitPath(url.slice(startOfPath(url, end), end)).join('/');
    if (base !== '/' && !base.includes('{')) bases.add(base);
  }
  return [...bases].sort((a, b) => b.length - a.length);
}

/** Segments without empty ones and without matrix parameters; bounded. */
function splitPath(path: string): string[] {
  const segments: string[] = [];
  for (const part of path.split('/', 70)) {
    const semicolon = part.indexOf(';');
    const segment = semicolon < 0 ? part : part.slice(0, semicolon);
    if (segment !== '' && segments.length < 64) segments.push(segment.includes('%') ? decode(segment) : segment);
  }
  return segments;
}

function insert(root: RouteNode, template: string): RouteNode {
  let node = root;
  for (const segment of splitPath(template)) {
    const open = segment.indexOf('{');
    const close = segment.lastIndexOf('}');
    if (open < 0 || close < open) {
      let next = node.literals.get(segment);
      if (next === undefined) node.literals.set(segment, (next = newNode()));
      node = next;
    } else if (open === 0 && close === segment.length - 1) {
      if (segment.endsWith('+}')) node = node.rest ??= newNode();
      else node = node.parameter ??= newNode();
    } else {
      const before = segment.slice(0, open);
      const after = segment.slice(close + 1);
      let partial = node.partials.find((one) => one.before === before && one.after === after);
      if (partial === undefined) node.partials.push((partial = { before, after, node: newNode() }));
      node = partial.node;
    }
  }
  return node;
}

/**
 * Visits each node of the tree at most once, so the cost is bounded by the document, not by the path.
 *
 * @param method `''` finds the path whatever its methods
 */
function find(node: RouteNode, segments: readonly string[], index: number, method: string): string {
  if (index >= segments.length) return node.templates.get(method) ?? '';
  const segment = segments[index] as string;
  const literal = node.literals.get(segment);
  let found = literal === undefined ? '' : find(literal, segments, index + 1, method);
  for (let i = 0; found === '' && i < node.partials.length; i++) {
    const { before, after, node: next } = node.partials[i] as RouteNode['partials'][number];
    const fits = segment.length > before.length + after.length && segment.startsWith(before) && segment.endsWith(after);
    if (fits) found = find(next, segments, index + 1, method);
  }
  if (found === '' && node.parameter !== undefined) found = find(node.parameter, segments, index + 1, method);
  if (found === '' && node.rest !== undefined) found = find(node.rest, segments, segments.length, method);
  return found;
}
