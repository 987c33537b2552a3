import { useEffect, useRef } from 'preact/hooks';
import { SAMPLES } from '../model/phi-samples.ts';
import { heardListeners, phiSamples } from '../store.ts';

type Plot = import('uplot');

const HEIGHT = 120;
/** φ above this only says that the silence is far too long. */
const TOP = 16;
const TIMES = Float64Array.from({ length: SAMPLES }, (_, index) => index - SAMPLES + 1);

/** φ of the last two minutes. NaN, where nothing was known, is a gap. */
function series(member: string): (number | null)[] {
  const values = phiSamples.last(member, SAMPLES).map((phi) => (Number.isNaN(phi) ? null : Math.min(TOP, phi)));
  return [...Array<null>(SAMPLES - values.length).fill(null), ...values];
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function plotIn(target: HTMLElement, member: string): Promise<Plot> {
  const [{ default: UPlot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  return new UPlot(
    {
      ...{ width: target.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false } },
      scales: { x: { time: false }, y: { range: (_plot, _low, high) => [0, Math.max(4, high)] } },
      axes: [
        {
          ...axis,
          size: 26,
          values: (_plot, splits) => splits.map((second) => (second === 0 ? 'now' : `${second} s`)),
        },
        { ...axis, size: 32 },
      ],
      series: [{}, { stroke: colour('--accent'), width: 1.5, points: { show: false } }],
    },
    [TIMES, series(member)],
    target,
  );
}

/** The chart library is loaded when the first chart is shown. */
export function PhiChart({ member }: { readonly member: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    let plot: Plot | null = null;
    let isOpen = true;
    const redraw = (): void => plot?.setData([TIMES, series(member)]);
    const resize = new ResizeObserver(() => plot?.setSize({ width: target.clientWidth, height: HEIGHT }));
    void plotIn(target, member).then((made) => {
      if (!isOpen) return made.destroy();
      plot = made;
      heardListeners.add(redraw);
      resize.observe(target);
    });
    return () => {
      isOpen = false;
      heardListeners.delete(redraw);
      resize.disconnect();
      plot?.destroy();
    };
  }, [member]);
  return <div class="phi-chart" ref={box} role="img" aria-label={`φ of ${member} over the last two minutes`} />;
}
