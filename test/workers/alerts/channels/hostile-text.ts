import type { AlertKind } from '../../../../workers/alerts/alert.ts';
import type { AlertNotice } from '../../../../workers/alerts/channels/channel.ts';
import { EVIDENCE, SAMPLE_KEY, sampleNotice } from './sample-messages.ts';

/** Texts that attack one of the places a message is read. */
export const HOSTILE_TEXTS: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</bdi></td></table><h1>You have won</h1>',
  'a\r\nBcc: victim@example.com\r\n\r\nbody',
  'a\nSubject: other',
  '<!channel> <!here> <@U012AB3CD> <https://evil.example|click>',
  '@everyone @here <@&123> <#456> [click](https://evil.example) **bold** `code` ```block```',
  '`; *bold* _it_ ~gone~ :skull: https://evil.example',
  '{{DATE(2026-01-01)}} ${expression} <at>Ada</at> [x](javascript:alert(1))',
  'abc\u202Egnp.exe \u2066isolated\u2069 \u200Frtl',
  'zero\u200Bwidth\uFEFFjoin\u00ADsoft\u{E0041}tag',
  'bell\u0007null\u0000escape\u001B[31mred\u009Bcsi',
  'lone \uD800 surrogate',
  'Z̷̢̛̲̘͓͔̟̪̮̱̣̭̺̲͚͙̼̞̈́͆̒̓̄̈́̽̆͂̐̀͌̓̏͘͜͝a̸l̵g̶o',
  `/${'a'.repeat(4_096)}`,
  '&'.repeat(4_096),
  '`'.repeat(500),
  '𝒳'.repeat(2_000),
  '=?utf-8?Q?=0ASubject:_x?=',
  '=HYPERLINK("https://evil.example")',
  '',
  '   ',
  '__proto__',
];

/** A notice in which every text that others can write is the given one. */
export function hostileNotice(kind: AlertKind, text = HOSTILE_TEXTS.slice(0, 14).join(' ')): AlertNotice {
  const dimensions = ['endpoint', 'country', 'status'] as const;
  const evidence = {
    ...EVIDENCE[kind],
    ...(EVIDENCE[kind].key
      ? { key: { ...EVIDENCE[kind].key, name: text, reason: text, actor: text, successor_key_id: text } }
      : {}),
    ...(EVIDENCE[kind].country ? { country: text } : {}),
    contributions: dimensions.flatMap((dimension) =>
      [1, 2, 3].map((n) => ({ dimension, value: text, requests: n, share: 0.3, usualShare: null })),
    ),
  };
  const key = {
    ...SAMPLE_KEY,
    name: text,
    prefix: text,
    organization_id: text,
    environment: text,
    owner_name: text,
    owner_email: text,
  };
  const keyId = kind === 'platform' ? '' : text.slice(0, 200) || 'k';
  return sampleNotice(
    kind,
    { evidence, key_id: keyId, organization_id: text.slice(0, 200), environment: text, scope: text },
    { ...key, key_id: keyId },
  );
}
