import { describe, expect, it } from 'vitest';
import { coordinatorUrls } from './coordinator-urls.ts';

describe('coordinatorUrls', () => {
  it.each([
    ['10.0.0.1:8080', 'http://10.0.0.1:8080'],
    ['localhost:8080', 'http://localhost:8080'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['https://c1.example:8443', 'https://c1.example:8443'],
    ['http://c1.example', 'http://c1.example'],
  ])('%s is %s', (given, url) => expect(coordinatorUrls([given], {})).toEqual([url]));

  it.each(['ftp://c1:8080', 'c1', 'http://', 'c1:port', ' ', 'a b:80'])(
    'refuses "%s", and says what is wanted',
    (given) => expect(() => coordinatorUrls([given], {})).toThrow(/want host:port/),
  );

  it('takes lists, each once, and an empty variable for none', () => {
    expect(coordinatorUrls(['a:1,b:2', 'a:1'], {})).toEqual(['http://a:1', 'http://b:2']);
    expect(coordinatorUrls(undefined, { UNDERSTUDY_URL: '' })).toEqual(['http://127.0.0.1:8080']);
  });

  it('prefers --url, then the environment, then the default', () => {
    expect(coordinatorUrls(['http://a:1', 'http://b:2'], { UNDERSTUDY_URL: 'http://c:3' })).toEqual([
      'http://a:1',
      'http://b:2',
    ]);
    expect(coordinatorUrls(undefined, { UNDERSTUDY_URL: 'http://c:3, http://d:4' })).toEqual([
      'http://c:3',
      'http://d:4',
    ]);
    expect(coordinatorUrls(undefined, {})).toEqual(['http://127.0.0.1:8080']);
  });

  it('refuses what is no URL', () => expect(() => coordinatorUrls(['nonsense'], {})).toThrow(/nonsense/));
});
