import { expect, test } from 'vitest';
import { storedIp } from '../../workers/truncate-ip.ts';

test.each([
  ['', '', ''],
  ['203.0.113.9', '203.0.113.0', '203.0.113.9'],
  ['2001:db8:1:2::3', '2001:db8:1::', '2001:db8:1:2::3'],
  ['::ffff:203.0.113.9', '203.0.113.0', '::ffff:203.0.113.9'],
  // As a batch of an earlier version has them.
  ['fe80::1%eth0', 'fe80::', 'fe80::1'],
  ['fe80::1%br-1a2b', 'fe80::', 'fe80::1'],
  ['fe80::1%eth0.100', 'fe80::', 'fe80::1'],
  ['::ffff:203.0.113.9%br-1', '203.0.113.0', '::ffff:203.0.113.9'],
  ['not an address', '', ''],
  ['203.0.113.9:80', '', ''],
  ['1:2:3', '', ''],
  ['%', '', ''],
])('%j is stored as %j, or whole as %j', (ip, truncated, full) => {
  expect([storedIp(ip, 'truncated'), storedIp(ip, 'full'), storedIp(ip, 'none')]).toEqual([truncated, full, '']);
});
