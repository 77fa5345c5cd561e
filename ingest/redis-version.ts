/** Claims need `SET … NX GET` and `EXPIRE … NX`, which came with it. */
export const OLDEST_REDIS_MAJOR = 7;

/**
 * @param info what INFO answers; Valkey tells the version of Redis that it is compatible with
 * @returns its version when that is too old; undefined when it will do or is not told
 */
export function outdatedVersion(info: string): string | undefined {
  const version = /^redis_version:(\d+\S*)/m.exec(info)?.[1];
  return version !== undefined && Number.parseInt(version, 10) < OLDEST_REDIS_MAJOR ? version : undefined;
}
