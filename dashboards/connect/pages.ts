import { ConnectPage } from './connect-page.tsx';

/** The page of this folder by its name in the address. */
export const PAGES = { connect: ConnectPage };
