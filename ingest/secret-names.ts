/** Names of headers, query parameters and fields whose values are secrets; lower case. */
export const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...[
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'session',
    'sessionid',
    'jsessionid',
    'phpsessid',
  ],
  ...[
    'x-api-key',
    'x_api_key',
    'apikey',
    'api_key',
    'api-key',
    'x-apikey',
    'key',
    'subscription-key',
    'x-functions-key',
  ],
  ...['ocp-apim-subscription-key', 'x-goog-api-key', 'x-auth-token', 'x-access-token', 'x-csrf-token', 'x-xsrf-token'],
  ...['token', 'access_token', 'access-token', 'accesstoken', 'refresh_token', 'id_token', 'auth_token', 'auth', 'jwt'],
  ...[
    'bearer',
    'code',
    'otp',
    'pin',
    'signature',
    'sig',
    'hmac',
    'x-amz-signature',
    'x-amz-security-token',
    'x-amz-credential',
  ],
  ...[
    'awsaccesskeyid',
    'password',
    'passwd',
    'pwd',
    'passphrase',
    'secret',
    'client_secret',
    'client-secret',
    'clientsecret',
  ],
  ...[
    'private_key',
    'private-key',
    'secret_key',
    'secret-key',
    'access_key',
    'access-key',
    'credential',
    'credentials',
  ],
]);

/** Whether a header, parameter or field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    SECRET_NAMES.has(lower) || /(?:[_.-]|^x)(?:token|secret|password|passwd|apikey|api[_-]?key|signature)$/.test(lower)
  );
}
