/**
 * A metric of a part as its `/metrics` tells it, of those without labels.
 * @throws Error when the part does not tell it
 */
export async function partMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`${url} tells no metric ${name}`);
  return Number(value);
}

/** Resident memory of a part, million bytes. */
export async function residentMegabytes(url: string): Promise<number> {
  return Math.round((await partMetric(url, 'process_resident_memory_bytes')) / 1e6);
}
