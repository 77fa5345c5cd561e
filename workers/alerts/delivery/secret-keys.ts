import type { Config } from '../../../ingest/config.ts';
import { ConfigError } from '../../../ingest/config-error.ts';
import { loadSecretKeys, SecretKeyError, type SecretKeys } from '../secret-key.ts';

/** The keys that seal and sign. @throws {ConfigError} when they cannot be used: a fault of the setup, told at start */
export function usableSecretKeys(config: Config): SecretKeys {
  try {
    return loadSecretKeys(config);
  } catch (error) {
    throw error instanceof SecretKeyError ? new ConfigError(error.message) : error;
  }
}
