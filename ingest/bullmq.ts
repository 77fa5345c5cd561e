import { createRequire } from 'node:module';

/**
 * The classes of BullMQ. An `import` of its 170 CommonJS files has Node look through each of them for the names it exports before it runs
 * them, which takes nearly as long as running them, in every thread that fills a queue; its types are imported as usual.
 */
export const bullmq = createRequire(import.meta.url)('bullmq') as typeof import('bullmq');
