import { SortedWindow } from './sorted-window.ts';
import { upperTailSurprise } from './tail-surprise.ts';

const P = JSON.parse(process.env.TUNE ?? '{}');
const p = (k: string, d: number): number => P[k] ?? d;

class Slots {
  width: number;
  count: number;
  hist: Float64Array[];
  cur = -1;
  sum = 0;
  n = 0;
  days = 0;
  exp = NaN;
  scale = NaN;
  expW = NaN;
  keep: number;
  weekly: Map<number, number[]> = new Map();
  constructor(step: number) {
    this.width = [300, 600, 900, 1800, 3600, 7200, 14400, 86400].find((w) => w >= step * 0.99) ?? 86400;
    this.count = 86400 / this.width;
    this.keep = 14;
    this.hist = Array.from({ length: this.count * 7 }, () => new Float64Array(0));
  }
  slotAt(t: number) {
    return Math.floor(t / this.width);
  }
  get(abs: number, stride: number, max: number): number[] {
    // values of previous same slots: stride in days
    const out: number[] = [];
    for (let d = 1; d <= max; d++) {
      const v = this.store.get(abs - d * stride * this.count);
      if (v !== undefined) out.push(v);
    }
    return out;
  }
  store: Map<number, number> = new Map();
  observe(t: number, x: number) {
    const s = this.slotAt(t);
    if (s !== this.cur) {
      if (this.cur >= 0 && this.n) {
        this.store.set(this.cur, this.sum / this.n);
        this.store.delete(this.cur - this.count * 43);
      }
      this.sum = 0;
      this.n = 0;
      this.cur = s;
    }
    this.sum += x;
    this.n++;
  }
  prepared = -1;
  neigh = false;
  expect(t: number) {
    const s = this.slotAt(t);
    if (s === this.prepared) return;
    this.prepared = s;
    const med = (a: number[]) => {
      a.sort((q, w) => q - w);
      const m = a.length >> 1;
      return a.length % 2 ? a[m]! : (a[m - 1]! + a[m]!) / 2;
    };
    const d = this.get(s, 1, p('days', 10));
    this.exp = d.length >= p('minDays', 2) ? med(d) : NaN;
    const w = this.get(s, 7, 4);
    this.expW = w.length >= 1 ? med(w) : NaN;
  }
}

export function seriesDetector() {
  const N = p('N', 6000);
  const values = new SortedWindow(N);
  const win: Record<string, SortedWindow> = {};
  const W = (k: string) => (win[k] ??= new SortedWindow(N));
  let ewma = NaN,
    slow = NaN;
  const rings: Record<string, number[]> = {};
  const meanOf = (k: string, x: number, K: number) => {
    const r = (rings[k] ??= []);
    r.push(x);
    if (r.length > K) r.shift();
    if (r.length < K) return NaN;
    let s = 0;
    for (const v of r) s += v;
    return s / K;
  };
  let n = 0,
    ref = 0,
    refAge = 0,
    lastTime = NaN,
    step = 0;
  let slots: Slots | undefined;
  const gaps: number[] = [];
  let eLevel = 0,
    eDay = 0,
    eWeek = 0,
    off = 0,
    same = 0,
    prev = NaN,
    dayN = 0,
    weekN = 0,
    offW = 0;
  return {
    judge(t: number, x: number): { score: number; parts: Record<string, number> } {
      if (!Number.isFinite(x)) return { score: 0, parts: {} };
      if (t > lastTime && gaps.length < 50) {
        gaps.push(t - lastTime);
        const g = [...gaps].sort((a, b) => a - b);
        step = g[g.length >> 1]!;
      }
      if (gaps.length === 20 && !slots) slots = new Slots(step);
      lastTime = t;
      n++;
      const day = step > 0 ? Math.min(2000, Math.max(24, 86400 / step)) : 288;
      if (n === 1) {
        ewma = x;
        slow = x;
      }
      const med = values.size ? values.median : x;
      const range = values.size ? values.quantile(0.99) - values.quantile(0.01) : 0;
      const floor = Math.max(range * p('floor', 0.005), Math.abs(med) * 1e-6, 1e-12);
      const parts: Record<string, number> = {};
      const rank = (k: string, v: number, fl = floor) => {
        if (Number.isNaN(v)) return 0;
        const w = W(k);
        const s = upperTailSurprise(w, v, fl);
        w.add(v);
        return s;
      };
      const put = (k: string, s: number, d = 1) => {
        parts[k] = s * p('w' + k, d);
      };
      put('V', rank('V', Math.abs(x - med)));
      const res = x - ewma;
      const sRes = rank('R', Math.abs(res));
      put('R', sRes);
      for (const K of [p('K1', 4), p('K', 12), p('K3', 48)]) {
        const m = meanOf('x' + K, x, K);
        put('M' + K, rank('M' + K, Math.abs(m - slow)));
      }
      const a = meanOf('a', Math.min(sRes, 4), p('KA', 12));
      put('A', rank('A', a, 0.1));
      // variance
      const a2 = meanOf('b', Math.abs(res), p('KB', 24));
      put('B', rank('B', a2));
      same = Math.abs(x - prev) < floor * 0.02 ? same + 1 : 0;
      prev = x;
      put('F', same > 0 ? rank('F', same, p('flatMin', 12)) : (W('F').add(0), 0), p('wFdef', 0));
      let dayPart = 0;
      if (slots) {
        slots.expect(t);
        if (!Number.isNaN(slots.exp)) {
          dayN++;
          const r = x - slots.exp;
          const f = p('fE', 0.003);
          eDay += Math.max(f, 1 / dayN) * (Math.min(Math.abs(r), range) - eDay);
          eLevel += Math.max(f, 1 / dayN) * (Math.min(Math.abs(x - med), range) - eLevel);
          const use = dayN > day * 0.5 && eDay < p('gateD', 0.7) * eLevel;
          const s = rank('D', Math.abs(r));
          const s2 = rank('DI', Math.abs(r - off));
          const m = meanOf('dm', r, p('KD', 12));
          const s3 = rank('DM', Math.abs(m));
          off += p('aOff', 0.3) * (r - off);
          if (use) {
            put('D', s);
            put('DI', s2);
            put('DM', s3);
            dayPart = 1;
          }
        }
        if (!Number.isNaN(slots.expW)) {
          weekN++;
          const r = x - slots.expW;
          const f = p('fE', 0.003);
          eWeek += Math.max(f, 1 / weekN) * (Math.min(Math.abs(r), range) - eWeek);
          const use = weekN > day * 0.5 && eWeek < p('gateW', 0.7) * eLevel && eWeek < p('gateWD', 0.9) * eDay;
          const s = rank('W', Math.abs(r));
          const s2 = rank('WI', Math.abs(r - offW));
          const s3 = rank('WM', Math.abs(meanOf('wm', r, p('KD', 12))));
          offW += p('aOff', 0.3) * (r - offW);
          if (use) {
            put('W', s);
            put('WI', s2);
            put('WM', s3);
            if (p('wkill', 1)) {
              parts.D = 0;
              parts.DI = 0;
              parts.DM = 0;
            }
          }
        }
        slots.observe(t, x);
      }
      values.add(x);
      ewma += p('alpha', 0.3) * res;
      slow += p('slow', 0.01) * (x - slow);
      if (dayPart) for (const k of Object.keys(parts)) if (!/^[DW]/.test(k)) parts[k] = parts[k]! * p('damp', 1);
      const off2 = P.off as string[] | undefined;
      if (off2) for (const k of Object.keys(parts)) if (off2.includes(k)) parts[k] = 0;
      let L = 0;
      if (p('comb', 0) === 0) {
        for (const k in parts) if (parts[k]! > L) L = parts[k]!;
      } else {
        const q = p('comb', 2);
        let s = 0;
        for (const k in parts) s += Math.max(0, parts[k]!) ** q;
        L = s ** (1 / q);
      }
      L -= p('c', 0.45) * Math.log10(Math.max(n, 100) / 1000);
      L = Math.max(0, L);
      if (n < p('warm', 60)) L = 0;
      refAge++;
      const left = Math.max(0, 1 - refAge / (day * p('quiet', 1)));
      const gate = ref * left ** p('shape', 0);
      let out = 0;
      if (left <= 0 || L > gate + p('margin', 0.3)) {
        out = L;
        if (L > p('minOpen', 2)) {
          ref = L;
          refAge = 0;
        }
      }
      return { score: 1 - 2 ** (-out / p('half', 3)), parts };
    },
  };
}
