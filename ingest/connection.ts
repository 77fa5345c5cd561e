/** Where a command finds Keytally, and as whom it speaks. */
export interface Connection {
  /** Without a slash at its end. */
  url: string;
  token: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Address of Keytally where no flag gives another. */
export const defaultUrl = (env: Environment = process.env): string => env.PUBLIC_URL || 'http://127.0.0.1:8080';

/**
 * The connection that flags and environment ask for; an empty variable is one that is not set.
 * @returns `problem`: the flag and what is wrong with it, in one line
 */
export function connectionOf(
  { url, token }: { url: string; token?: string },
  env: Environment = process.env,
): Connection | { problem: string } {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return { problem: `--url: "${url}" is not an address such as http://127.0.0.1:8080` };
  }
  const given = token ?? (env.KEYTALLY_TOKEN || env.KEYTALLY_ADMIN_TOKEN);
  if (!given) return { problem: '--token: give a token, or set KEYTALLY_TOKEN' };
  if (!/^[\x21-\x7e]+$/.test(given)) return { problem: '--token: holds characters that no token has' };
  return { url: url.replace(/\/+$/, ''), token: given };
}
