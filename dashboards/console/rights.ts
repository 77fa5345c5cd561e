import type { Session } from '../http/contract/access.ts';

/** What the viewer may do; the api decides, this only spares them buttons that would be refused. */
export interface Rights {
  manage: boolean;
  /** Manages tokens and sees the installation: an administrator of the whole platform. */
  platform: boolean;
  /** The one key the token is bound to: nothing of its organization is to be seen. '' when it is bound to none. */
  keyId: string;
}

export const NO_RIGHTS: Rights = { manage: false, platform: false, keyId: '' };

export function rightsOf(session: Session | null): Rights {
  if (!session) return NO_RIGHTS;
  const admin = session.scopes.includes('admin');
  return {
    manage: (admin || session.scopes.includes('manage')) && !session.key_id,
    platform: admin && !session.organization_id && !session.key_id,
    keyId: session.key_id ?? '',
  };
}
