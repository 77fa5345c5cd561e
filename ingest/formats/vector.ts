import { shipperFormat } from './shipper.ts';

/**
 * Vector's `http` sink: an array (its default), one object per line, or a batch behind `payload_prefix`.
 * Entries carry `source_type`, and the line in `message` unless a transform parsed it.
 */
export const vector = shipperFormat(
  'vector',
  (entry) => 'source_type' in entry || ('message' in entry && 'timestamp' in entry),
);
