import { useEffect } from 'preact/hooks';
import type { ApiClient } from './client.ts';
import { type Resource, useResource } from './use-resource.ts';

/** Asks again and again while the page is looked at; a hidden tab costs nobody anything. */
export function usePolling<Answer>(api: ApiClient, path: string, everyMs: number): Resource<Answer> {
  const resource = useResource<Answer>(path, (signal) => api.get<Answer>(path, {}, signal));
  const { retry } = resource;
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && retry(), everyMs);
    return () => clearInterval(timer);
  }, [retry, everyMs]);
  return resource;
}
