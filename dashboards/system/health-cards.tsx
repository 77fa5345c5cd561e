import { formatBytes, formatCount, formatMilliseconds, formatPercent } from '../format/number.ts';
import type { SystemHealth } from '../http/contract/system.ts';
import { Card } from '../panels/card.tsx';
import { Moment } from '../time/moment.tsx';
import { Meter } from '../usage-tab/limit-card.tsx';
import { lagTone, memoryTone } from './health-words.ts';

export function HealthCards({ health: { pipeline, redis, store, now } }: { health: SystemHealth }) {
  const at = Date.parse(now);
  return (
    <dl class="cards">
      <Card
        name="Lag"
        testId="card-lag"
        value={
          <span class={lagTone(pipeline.lag_ms)}>{pipeline.lag_ms ? formatMilliseconds(pipeline.lag_ms) : 'none'}</span>
        }
        note={<span>of the batch that is next</span>}
      />
      <Card
        name="Waiting batches"
        testId="card-waiting"
        value={formatCount(pipeline.waiting_batches)}
        note={
          <span class={pipeline.failed_batches ? 'bad' : ''}>
            {formatCount(pipeline.failed_batches)} failed, {formatCount(pipeline.waiting_dead_letters)} dead letters
          </span>
        }
      />
      <Card
        name="Last record counted"
        testId="card-last-record"
        value={pipeline.last_received_at ? <Moment at={pipeline.last_received_at} now={at} /> : 'not today'}
      />
      <RedisMemory redis={redis} />
      <Card
        name="Store"
        testId="card-store"
        value={formatBytes(store.bytes)}
        note={<span>{store.engine === 'embedded' ? 'embedded ClickHouse' : 'ClickHouse server'}</span>}
      />
    </dl>
  );
}

function RedisMemory({ redis }: Pick<SystemHealth, 'redis'>) {
  const share = redis.max_memory_bytes ? redis.used_ratio : null;
  return (
    <Card
      name="Redis memory"
      testId="card-redis"
      value={<span class={memoryTone(share, redis.refuses_above_ratio)}>{formatBytes(redis.used_memory_bytes)}</span>}
      note={
        share === null ? (
          <span>no limit set</span>
        ) : (
          <>
            <Meter share={share} label={`${formatPercent(share)} of Redis' memory in use`} />
            <span>of {formatBytes(redis.max_memory_bytes)}</span>
          </>
        )
      }
    />
  );
}
