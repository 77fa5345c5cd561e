import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { withoutZone } from './record.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** What is known of where a request came from. */
export interface AddressEvidence {
  /** Address of the connection, with or without port; '' when unknown. */
  peer: string;
  /** Value of `X-Forwarded-For`; several headers joined by commas. */
  xForwardedFor?: string;
  /** Value of `Forwarded` (RFC 7239). */
  forwarded?: string;
  /** Addresses and CIDR ranges of own proxies, from {@link trustedRanges} or as text. */
  trustedProxies: readonly string[];
}

/** Longer chains are forged: no request passes that many proxies. */
const MAX_HOPS = 50;
/** Compiled lists: the same configured array is given with every record. */
const compiled = new WeakMap<readonly string[], Range[]>();

/**
 * The client's address: walking back from the connection, the first hop that is not one of ours.
 *
 * Only what a trusted proxy wrote is believed, because a client may send any `X-Forwarded-For` it likes and proxies
 * append to it. Where the connection's own address is not logged, the gateway that logged the header is the first proxy.
 *
 * @returns an address without port, IPv4-mapped addresses as IPv4; '' when nothing credible is known
 */
export function clientAddress(evidence: AddressEvidence): string {
  const peer = addressWithoutPort(evidence.peer);
  if (peer !== '' && evidence.trustedProxies.length === 0) return peer;
  const ranges = trustedRanges(evidence.trustedProxies);
  if (peer !== '' && !isTrusted(peer, ranges)) return peer;
  const hops = evidence.xForwardedFor
    ? splitForwardedFor(evidence.xForwardedFor)
    : forwardedFor(evidence.forwarded ?? '');
  let believed = peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = addressWithoutPort(hops[i] as string);
    // `unknown` and obfuscated names end the chain: what stands left of them cannot be vouched for.
    if (hop === '') break;
    believed = hop;
    if (!isTrusted(hop, ranges)) break;
  }
  return believed;
}

/** CIDR ranges as numbers; what is not an address or a range is left out. */
function trustedRanges(proxies: readonly string[]): Range[] {
  const known = compiled.get(proxies);
  if (known !== undefined) return known;
  const ranges: Range[] = [];
  for (const proxy of proxies) {
    const text = proxy.trim();
    try {
      if (text.includes('/')) ranges.push(ipaddr.parseCIDR(text));
      else ranges.push([ipaddr.process(text), ipaddr.process(text).kind() === 'ipv4' ? 32 : 128]);
    } catch {
      // Configuration is checked where it is read; here an unusable entry trusts nobody.
    }
  }
  compiled.set(proxies, ranges);
  return ranges;
}

function isTrusted(address: string, ranges: readonly Range[]): boolean {
  if (ranges.length === 0) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
}

function splitForwardedFor(value: string): string[] {
  // Only the right end matters, and a client decides how long the left end is.
  return value.slice(-4000).split(',').slice(-MAX_HOPS);
}

/** The `for=` parameters of a `Forwarded` header, in order. */
function forwardedFor(value: string): string[] {
  const hops: string[] = [];
  for (const element of splitForwardedFor(value)) {
    const found = /(?:^|;)\s*for\s*=\s*("[^"]{0,200}"|[^;]{0,200})/i.exec(element);
    if (found !== null) hops.push((found[1] as string).replaceAll('"', ''));
    else if (element.trim() !== '') hops.push('unknown');
  }
  return hops;
}

/**
 * An address as gateways log it: `192.0.2.1`, `192.0.2.1:443`, `[2001:db8::1]:443`, `2001:db8::1%eth0`.
 *
 * @returns the bare address, '' when it is none
 */
export function addressWithoutPort(text: string): string {
  let address = text.trim();
  if (address.length > 100) return '';
  if (address.charCodeAt(0) === 91) {
    const close = address.indexOf(']');
    address = close < 0 ? '' : address.slice(1, close);
  } else {
    const colon = address.indexOf(':');
    if (colon > 0 && address.indexOf(':', colon + 1) < 0) address = address.slice(0, colon);
  }
  address = withoutZone(address);
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  if (mapped !== null) address = mapped[1] as string;
  return isIP(address) === 0 ? '' : address;
}

/**
 * The country an edge network found, from headers it is trusted to set.
 *
 * @param headers request headers, names in lower case
 * @param trustedHeaderNames in order of preference, e.g. `cf-ipcountry`, `cloudfront-viewer-country`, `x-vercel-ip-country`
 * @returns ISO 3166-1 alpha-2 in upper case; '' when unknown (`XX`), not a country (`T1` = Tor) or not sent
 */
export function countryFromHeaders(
  headers: Readonly<Record<string, string | undefined>>,
  trustedHeaderNames: readonly string[],
): string {
  for (const name of trustedHeaderNames) {
    const lower = name.toLowerCase();
    const country = Object.hasOwn(headers, lower) ? countryOf(headers[lower] ?? '') : '';
    if (country !== '') return country;
  }
  return '';
}

/** @returns an upper-case country code, '' for anything else including the codes for "unknown" and Tor */
export function countryOf(value: string): string {
  if (!/^[A-Za-z]{2}$/.test(value)) return '';
  const country = value.toUpperCase();
  return country === 'XX' || country === 'ZZ' ? '' : country;
}
