import { DoctorSnapshot, takeSnapshot } from '../doctor-snapshot.ts';
import { route } from '../route.ts';

export const getDoctor = route({
  method: 'get',
  path: '/v1/doctor',
  scope: 'admin',
  reach: 'platform',
  summary: 'The running system in figures: traffic, Redis memory, queue, disk; `keytally doctor` says what they mean',
  response: DoctorSnapshot,
  handle: ({ parts }) => takeSnapshot(parts.config, parts.store, parts.redis),
});
