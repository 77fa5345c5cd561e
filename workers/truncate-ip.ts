import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../ingest/config.ts';
import { withoutZone } from '../ingest/record.ts';

const IPV4_KEPT_OCTETS = 3;
const IPV6_KEPT_GROUPS = 3;

/**
 * Address as it is stored: the network only (/24, /48) unless configured otherwise. An IPv4 address mapped
 * into IPv6 is treated as the IPv4 address it is, or /48 would keep nothing but the prefix of the mapping.
 *
 * @returns '' for what is no address: one row must not keep the rows it is written with out of the store
 */
export function storedIp(ip: string, storage: Config['IP_STORAGE']): string {
  if (ip === '' || storage === 'none') return '';
  // Batches of an earlier version, waiting or kept as dead letters, have addresses with their zones.
  const bare = withoutZone(ip);
  if (isIPv4(bare)) return storage === 'full' ? bare : truncateIpv4(bare);
  if (!ipaddr.IPv6.isValid(bare)) return '';
  if (storage === 'full') return bare;
  const address = ipaddr.IPv6.parse(bare);
  if (address.isIPv4MappedAddress()) return truncateIpv4(address.toIPv4Address().toString());
  const kept = address.parts.map((group, at) => (at < IPV6_KEPT_GROUPS ? group : 0));
  return new ipaddr.IPv6(kept).toString();
}

function truncateIpv4(ip: string): string {
  return `${ip.split('.').slice(0, IPV4_KEPT_OCTETS).join('.')}.0`;
}
