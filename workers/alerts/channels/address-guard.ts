import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What the guard thinks of one address: anybody's, one the operator allowed by name, or neither. */
export type AddressVerdict = 'public' | 'allowed_private' | 'refused';

/** A receiver's address may not be connected to. `reason` is for the owner of the channel and names no internals. */
export class RefusedTarget extends Error {
  override readonly name = 'RefusedTarget';
}

type Ip = ipaddr.IPv4 | ipaddr.IPv6;
export type AllowedRanges = readonly (readonly [Ip, number])[];

/** Ports of public receivers. An allowed private one may use any. */
const PUBLIC_PORTS: ReadonlySet<number> = new Set([443, 8443]);
/** Addresses the world can reach: of IPv6 only 2000::/3 is given out (RFC 4291, IANA), so nothing unknown slips through. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3');

/** @param entries addresses and CIDR ranges, as checked by the configuration */
export function allowedRanges(entries: readonly string[]): AllowedRanges {
  return entries.map((entry) => {
    if (entry.includes('/')) return ipaddr.parseCIDR(entry);
    const address = ipaddr.process(entry);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  });
}

/**
 * Judges one address. IPv4 inside IPv6 (::ffff:0:0/96) is judged as the IPv4 it is; other forms that carry an IPv4 address
 * (6to4, Teredo, NAT64) are refused, like everything private, loopback, link-local, shared, reserved or multicast.
 */
export function judgeAddress(address: string, allowed: AllowedRanges): AddressVerdict {
  if (!ipaddr.isValid(address)) return 'refused';
  const parsed = ipaddr.process(address);
  if (allowed.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))) {
    return 'allowed_private';
  }
  const isGlobal = parsed.kind() === 'ipv4' || parsed.match(GLOBAL_V6);
  return parsed.range() === 'unicast' && isGlobal ? 'public' : 'refused';
}

/**
 * Whether a URL with these addresses may be called. Every address must pass: one bad answer among good ones is how
 * rebinding begins.
 *
 * @returns the reason it may not, undefined when it may
 */
export function refusalOf(url: URL, addresses: readonly string[], allowed: AllowedRanges): string | undefined {
  const verdicts = addresses.map((address) => judgeAddress(address, allowed));
  if (verdicts.length === 0 || verdicts.includes('refused')) {
    return `${url.hostname} points to a private or reserved address; an operator can allow it with WEBHOOK_ALLOW_PRIVATE`;
  }
  if (verdicts.every((verdict) => verdict === 'allowed_private')) return undefined;
  if (url.protocol !== 'https:') return 'the address must start with https://';
  const port = url.port === '' ? 443 : Number(url.port);
  return PUBLIC_PORTS.has(port) ? undefined : 'the port must be 443 or 8443';
}

/** Host of a URL without the brackets of IPv6; URL has made every spelling of an IPv4 address (0x7f.1) a plain one. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/**
 * The look-up that the socket itself uses, so that the judged addresses are the ones connected to: a name that answers
 * differently the next time changes nothing. All answers are fetched and judged, whatever the socket asked for.
 *
 * @param lookup the system's; tests inject answers
 */
export function guardedLookup(url: URL, allowed: AllowedRanges, lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : [];
      if (error) return callback(error, '', 0);
      const refused = refusalOf(
        url,
        addresses.map((one) => one.address),
        allowed,
      );
      if (refused) return callback(new RefusedTarget(refused), '', 0);
      if (options.all) return callback(null, addresses);
      callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}
