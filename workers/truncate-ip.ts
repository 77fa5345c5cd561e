import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../ingest/config.ts';

const IPV4_KEPT_OCTETS = 3;
const IPV6_KEPT_GROUPS = 3;

/**
 * Address as it is stored: the network only (/24, /48) unless configured otherwise. An IPv4 address mapped
 * into IPv6 is treated as the IPv4 address it is, or /48 would keep nothing but the prefix of the mapping.
 */
export function storedIp(ip: string, storage: Config['IP_STORAGE']): string {
  if (ip === '' || storage === 'none') return '';
  if (storage === 'full') return ip;
  if (isIPv4(ip)) return truncateIpv4(ip);
  const address = ipaddr.IPv6.parse(ip);
  if (address.isIPv4MappedAddress()) return truncateIpv4(address.toIPv4Address().toString());
  const kept = address.parts.map((group, at) => (at < IPV6_KEPT_GROUPS ? group : 0));
  return new ipaddr.IPv6(kept).toString();
}

function truncateIpv4(ip: string): string {
  return `${ip.split('.').slice(0, IPV4_KEPT_OCTETS).join('.')}.0`;
}
