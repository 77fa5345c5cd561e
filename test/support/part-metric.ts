/**
 * A metric of a part as its `/metrics` tells it: the sum over all its labels.
 * @throws Error when the part does not tell it
 */
export async function partMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  if (values.length === 0) throw new Error(`${url} tells no metric ${name}`);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Resident memory of a part, million bytes. */
export async function residentMegabytes(url: string): Promise<number> {
  return Math.round((await partMetric(url, 'process_resident_memory_bytes')) / 1e6);
}
