import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressName, RateLimit } from "./rate-limit.ts";

test("no window holds more than the limit and what flowed in meanwhile", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), gaps, (perMinute, steps) => {
      const limit = new RateLimit(perMinute);
      let nowMs = 0;
      let admitted = 0;
      for (const step of steps) {
        nowMs += step;
        if (limit.take("a", nowMs) === 0) admitted += 1;
      }
      assert.ok(admitted <= perMinute + (nowMs * perMinute) / 60_000 + 1e-6);
    }),
  );
});

test("who waits as long as it was told gets in", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), (perMinute) => {
      const limit = new RateLimit(perMinute);
      for (let request = 0; request < perMinute; request += 1) assert.equal(limit.take("a", 0), 0);
      const seconds = limit.take("a", 0);
      assert.ok(seconds >= 1);
      assert.equal(limit.take("a", seconds * 1000), 0);
      assert.equal(limit.take("b", 0), 0, "another name has a bucket of its own");
    }),
  );
});

test("0 means no limit", () => {
  const limit = new RateLimit(0);
  for (let request = 0; request < 10_000; request += 1) assert.equal(limit.take("a", 0), 0);
});

test("the names longest unseen are forgotten first", () => {
  const limit = new RateLimit(1, 2);
  assert.equal(limit.take("a", 0), 0);
  assert.equal(limit.take("b", 0), 0);
  assert.ok(limit.take("a", 0) > 0);
  assert.equal(limit.take("c", 0), 0);
  assert.ok(limit.take("a", 0) > 0, "a was seen after b");
  assert.equal(limit.take("b", 0), 0, "b was forgotten");
});

test("an IPv6 customer is its /64, an IPv4 address is itself however it is written", () => {
  assert.equal(addressName("192.0.2.7"), "192.0.2.7");
  assert.equal(addressName("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(addressName("2001:db8:1:2:aaaa::1"), addressName("2001:0db8:0001:0002:bbbb:0:0:2"));
  assert.notEqual(addressName("2001:db8:1:2::1"), addressName("2001:db8:1:3::1"));
  assert.equal(addressName("::1"), "0:0:0:0::/64");
  assert.equal(addressName("2001:db8::"), "2001:db8:0:0::/64");
});
