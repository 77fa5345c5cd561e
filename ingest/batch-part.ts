import { Batch } from './batch.ts';

/** What is kept of an address and its country. */
type AddressRule = (ip: string, country: string) => { ip: string; country: string };
const AS_IT_IS: AddressRule = (ip, country) => ({ ip, country });

/** Some rows of a batch as a batch of their own, in the given order. */
export function partOfBatch(batch: Batch, rows: readonly number[], address = AS_IT_IS): Batch {
  const part = new Batch();
  for (const row of rows) {
    part.add(
      {
        keyId: batch.keyId.at(row),
        timestampMs: batch.timestampMs.at(row),
        method: batch.method.at(row),
        path: batch.path.at(row),
        route: batch.route.at(row),
        status: batch.status.at(row),
        latencyMs: batch.latencyMs.at(row),
        requestBytes: batch.requestBytes.at(row),
        responseBytes: batch.responseBytes.at(row),
        ...address(batch.ip.at(row), batch.country.at(row)),
        userAgent: batch.userAgent.at(row),
        requestId: batch.requestId[row]!,
        service: batch.service.at(row),
        environment: batch.environment.at(row),
        rateLimited: batch.rateLimited.at(row) === 1,
        error: batch.error.at(row),
      },
      batch.organizationId.at(row),
    );
  }
  return part;
}
