import { shipperFormat } from './shipper.ts';

/**
 * Fluent Bit's `http` output, formats json, json_lines, json_stream and gelf (not msgpack). The time it read the line
 * is in `date` by default, the line in `log` (tail), `message` (other inputs) or `short_message` (gelf).
 */
export const fluentBit = shipperFormat(
  'fluent-bit',
  (entry) => 'date' in entry || 'log' in entry || 'short_message' in entry,
);
