import { Link } from '../address/link.tsx';

export interface SubPage {
  href: string;
  name: string;
}

/** The pages of one group, below its name. */
export function SubPages({ label, pages, current }: { label: string; pages: readonly SubPage[]; current: string }) {
  return (
    <nav class="sub-pages" aria-label={label}>
      {pages.map(({ href, name }) => (
        <Link key={href} href={href} current={href === current}>
          {name}
        </Link>
      ))}
    </nav>
  );
}
