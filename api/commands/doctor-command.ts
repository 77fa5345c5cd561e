import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { DoctorSnapshot } from '../doctor-snapshot.ts';
import { ApiClient, CommandError, type ConnectionFlags } from './api-client.ts';
import { diagnose, type Finding } from './doctor-diagnosis.ts';
import { capacityFor, DEFAULT_EXPECTATION } from './doctor-model.ts';
import { connected } from './key-commands.ts';
import { table } from './table.ts';
import { count } from './wording.ts';

interface DoctorFlags extends ConnectionFlags {
  seconds: string;
}

const MAX_SECONDS = 3_600;

/** `keytally doctor`: what of the running system will break first, and when. Ends with 1 when something is critical. */
export function doctorCommand(): Command {
  return connected(new Command('doctor').description('what of the running system will break first, and when'))
    .option('--seconds <n>', 'how long to watch for growth', '10')
    .action(async (flags: DoctorFlags) => {
      const seconds = Number(flags.seconds);
      if (!(seconds >= 1 && seconds <= MAX_SECONDS)) {
        throw new CommandError(`--seconds: must be from 1 to ${MAX_SECONDS}, not ${flags.seconds}`);
      }
      const client = new ApiClient(flags);
      const snapshot = async () => (await client.get<DoctorSnapshot>('/v1/doctor')).body;
      const before = await snapshot();
      await sleep(seconds * 1000);
      const now = await snapshot();
      const findings = diagnose(before, now);
      const needs = capacityFor({
        ...DEFAULT_EXPECTATION,
        requestsPerDay: now.requests_per_day,
        keys: Math.max(1, now.keys),
      });
      if (flags.json) process.stdout.write(`${JSON.stringify({ findings, needs, snapshot: now }, null, 2)}\n`);
      else process.stdout.write(doctorText(findings, now));
      if (findings.some(({ severity }) => severity === 'critical')) process.exitCode = 1;
    });
}

function doctorText(findings: readonly Finding[], now: DoctorSnapshot): string {
  const columns = [
    { title: 'state' },
    { title: 'breaks in' },
    { title: 'what', whole: true },
    { title: 'do', whole: true },
  ];
  const rows = findings.map(({ severity, breaks_in_seconds: seconds, says, advice }) => [
    severity,
    until(seconds),
    says,
    advice,
  ]);
  const first = findings.find(({ breaks_in_seconds: seconds }) => seconds !== null);
  const head = first
    ? `first: ${first.part}, in ${until(first.breaks_in_seconds)}`
    : 'nothing breaks at present traffic';
  return `${count(now.requests_per_day)} requests in the last 24 hours, ${count(now.keys)} keys; ${head}\n\n${table(columns, rows)}`;
}

function until(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
