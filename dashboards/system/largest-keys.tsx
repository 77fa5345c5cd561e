import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { formatBytes, formatCount } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import type { StoredKeys } from '../http/contract/system.ts';
import { useResource } from '../http/use-resource.ts';

import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { Part } from '../panels/part.tsx';

const SHOWN_KEYS = 10;

/** The keys that take most space. Asked once: it reads the ids of every rollup, and changes slowly. */
export function LargestKeys({ api }: { api: ApiClient }) {
  const stored = useResource('storage', (signal) =>
    api.get<StoredKeys>('/v1/storage', { limit: String(SHOWN_KEYS) }, signal),
  );
  return (
    <Part of={stored} what="The keys that take most space">
      {({ keys }) => (
        <TablePanel
          title="Largest keys"
          caption="Keys that take most space"
          note="Estimated from their rows"
          testId="largest-keys"
          rows={keys}
          rowKey={(row) => row.key_id}
          empty="No key has been used yet."
          columns={[
            {
              name: 'Key',
              cell: (row) => (
                <Link href={keyPath(row.key_id)} class="key-link">
                  <HostileText value={row.key_id} />
                </Link>
              ),
            },
            { name: 'Requests kept', numeric: true, look: 'wide-only', cell: (row) => formatCount(row.requests) },
            { name: 'Rows of counts', numeric: true, look: 'wide-only', cell: (row) => formatCount(row.rollup_rows) },
            { name: 'On disk', numeric: true, cell: (row) => formatBytes(row.bytes_on_disk) },
          ]}
        />
      )}
    </Part>
  );
}
