import { Component, createRef } from 'preact';
import type { FleetMember, FleetObserver } from '@understudy/shared/browser';
import { type Fleet, heardCells, labelsOf, nameOf } from '../model/fleet.ts';
import { sparkline } from '../model/phi-samples.ts';
import { ageText } from '../model/times.ts';
import { fleet, heardListeners, phiSamples } from '../store.ts';
import { Chip, Mark } from './small.tsx';

/** Samples in a sparkline: one minute. */
const SPARK = 60;
const WIDTH = 88;
const HEIGHT = 18;

/** From this age on a heartbeat is late enough to be looked at. Only colour depends on it. */
const LATE_MS = 3_000;

interface TileProps {
  readonly member: FleetMember;
  readonly observers: readonly FleetObserver[];
}

/** What a tile shows of a member's zone: `us-east-1a` is `1a`. */
const shortZone = (az: string): string => az.replace(/^.*-(?=\d)/, '');

const TILES = new Map<Element, Tile>();
/** Tiles a little outside of the window are patched too, so that scrolling finds them filled. */
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) TILES.get(target)?.setSeen(isIntersecting);
  },
  { rootMargin: '600px' },
);

/**
 * A member. It renders when its row changes; ages, dots and sparkline are patched into the elements
 * once a second, while the tile can be seen.
 */
export class Tile extends Component<TileProps> {
  readonly #root = createRef<HTMLAnchorElement>();
  readonly #line = createRef<SVGPolylineElement>();
  readonly #cells: { age: HTMLElement | null; text: string; late: boolean }[] = [];
  #isSeen = false;

  override shouldComponentUpdate(next: TileProps): boolean {
    return next.member !== this.props.member || next.observers !== this.props.observers;
  }

  override componentDidMount(): void {
    heardListeners.add(this.#patch);
    if (!this.#root.current) return;
    TILES.set(this.#root.current, this);
    seen.observe(this.#root.current);
  }

  override componentWillUnmount(): void {
    heardListeners.delete(this.#patch);
    if (!this.#root.current) return;
    seen.unobserve(this.#root.current);
    TILES.delete(this.#root.current);
  }

  setSeen(isSeen: boolean): void {
    this.#isSeen = isSeen;
    const known = fleet.peek();
    if (isSeen && known) this.#patch(known);
  }

  readonly #patch = (known: Fleet): void => {
    if (!this.#isSeen) return;
    const { member } = this.props.member;
    for (const [index, { ageMs }] of heardCells(known, member).entries()) {
      const cell = this.#cells[index];
      if (!cell?.age) continue;
      const text = ageText(ageMs);
      if (text !== cell.text) cell.age.textContent = cell.text = text;
      const late = ageMs !== null && ageMs > LATE_MS;
      if (late !== cell.late) cell.age.classList.toggle('late', (cell.late = late));
    }
    const points = sparkline(phiSamples.last(member, SPARK), SPARK, WIDTH, HEIGHT);
    this.#line.current?.setAttribute('points', points);
  };

  readonly #takeAge = (index: number) => (age: HTMLElement | null) => {
    this.#cells[index] = { age, text: '', late: false };
  };

  override render({ member, observers }: TileProps) {
    const [verdict = '', ...more] = labelsOf(member);
    const kind = member.recovery === null ? member.verdict : 'recovering';
    return (
      <a ref={this.#root} class={`tile ${kind}`} href={`/members/${member.member}`} data-member={member.member}>
        <span class="tile-top">
          <Mark kind={kind} />
          <span class="tile-name">{nameOf(member.member)}</span>
          <span class="tile-verdict">{verdict}</span>
        </span>
        <span class="tile-where">
          {shortZone(member.az)} <code>{member.instanceId}</code>
        </span>
        <span class="tile-heard">
          {observers.map(({ coordinatorId, az }, index) => (
            <span
              key={coordinatorId}
              class="heard"
              title={`${coordinatorId} in ${az}: ${member.opinions[index] ?? 'no opinion'}; age of the last heartbeat it heard`}
            >
              <span class={`dot ${member.opinions[index] ?? 'none'}`} aria-hidden="true" />
              <span class="heard-zone">{shortZone(az)}</span> <span class="age" ref={this.#takeAge(index)} />
            </span>
          ))}
        </span>
        <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
          <polyline ref={this.#line} points="" />
        </svg>
        {more.length > 0 || member.hold ? (
          <span class="tile-chips">
            {more.map((label) => (
              <Chip
                key={label}
                kind={label.replace(' ', '-')}
                text={label === 'held' ? `held: ${member.hold?.reason ?? ''}` : label}
              />
            ))}
          </span>
        ) : null}
      </a>
    );
  }
}
