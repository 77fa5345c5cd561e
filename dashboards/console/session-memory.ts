/**
 * Whether this browser was signed in when it was last here. A guess, and no right follows from it: pages ask at once where it says so, else
 * once the session answered, instead of asking for everything they show and being refused each time.
 */
const STORED_AS = 'keytally-signed-in';

export function remembersSession(): boolean {
  try {
    return localStorage.getItem(STORED_AS) === '1';
  } catch {
    return false;
  }
}

export function rememberSession(isSignedIn: boolean): void {
  try {
    if (isSignedIn) localStorage.setItem(STORED_AS, '1');
    else localStorage.removeItem(STORED_AS);
  } catch {
    // Storage is refused in some private windows: pages then wait for the session at each visit.
  }
}
