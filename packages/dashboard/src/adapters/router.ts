import { signal } from '@preact/signals';
import { pathOf, type Place, placeOf } from '../model/place.ts';

export const place = signal<Place>(placeOf(location.pathname));

export function goTo(next: Place): void {
  const path = pathOf(next);
  if (path !== location.pathname) history.pushState(null, '', path);
  place.value = next;
  scrollTo(0, 0);
}

/**
 * Links stay links: with a modifier, or the middle button, the browser does what it always does.
 */
export function onLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest('a');
  if (!link || link.origin !== location.origin || link.target !== '' || link.hasAttribute('download')) return;
  event.preventDefault();
  goTo(placeOf(link.pathname));
}

export function followHistory(): void {
  addEventListener('popstate', () => {
    place.value = placeOf(location.pathname);
  });
}
