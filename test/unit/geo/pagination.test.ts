import { describe, expect, test } from "vitest";
import { onPage, type Page, pageHeaders, parsePage } from "../../../shared/geo/pagination.ts";

const asked = (query: string) => parsePage(new URLSearchParams(query));
const headers = (total: number, page: Page, query = "") =>
  pageHeaders("https://geo.example/api/v4/geo_sites", new URLSearchParams(query), total, page);

describe("a page that is asked for (F64)", () => {
  test("is the first of twenty, unless somebody says else", () => {
    expect(asked("")).toEqual({ page: { page: 1, perPage: 20 } });
    expect(asked("page=3&per_page=7")).toEqual({ page: { page: 3, perPage: 7 } });
  });

  test("has at most a hundred, as in GitLab", () => {
    expect(asked("per_page=100")).toEqual({ page: { page: 1, perPage: 100 } });
    expect(asked("per_page=101")).toEqual({ page: { page: 1, perPage: 100 } });
  });

  test.each([
    ["nothing", "page=", 'page: expected one whole number from 1, got ""'],
    ["zero", "page=0", 'page: expected one whole number from 1, got "0"'],
    ["less than nothing", "page=-1", 'got "-1"'],
    ["a part", "page=1.5", 'got "1.5"'],
    ["text", "per_page=all", 'per_page: expected one whole number from 1, got "all"'],
    ["too many digits", "page=9999999999", 'got "9999999999"'],
    ["two of them", "page=1&page=2", 'got "1" and "2"'],
    ["what is long", `page=${"x".repeat(500)}`, `got "${"x".repeat(99)}…`],
  ])("that is %s is refused with what was expected and what came", (_, query, problem) => {
    const parsed = asked(query);
    expect("problems" in parsed && parsed.problems.join()).toContain(problem);
  });

  test("is refused with everything that is wrong together", () => {
    expect(asked("page=a&per_page=b")).toEqual({
      problems: [
        'page: expected one whole number from 1, got "a"',
        'per_page: expected one whole number from 1, got "b"',
      ],
    });
  });
});

test("a page holds its part of the list, and beyond the last there is nothing", () => {
  const list = [1, 2, 3, 4, 5];
  expect(onPage(list, { page: 1, perPage: 2 })).toEqual([1, 2]);
  expect(onPage(list, { page: 3, perPage: 2 })).toEqual([5]);
  expect(onPage(list, { page: 4, perPage: 2 })).toEqual([]);
});

describe("the headers of a page", () => {
  test("in the middle name both neighbours, the first and the last, and keep what else was asked", () => {
    expect(headers(45, { page: 2, perPage: 20 }, "page=2&order=name")).toEqual({
      link: [
        '<https://geo.example/api/v4/geo_sites?page=1&order=name&per_page=20>; rel="prev"',
        '<https://geo.example/api/v4/geo_sites?page=3&order=name&per_page=20>; rel="next"',
        '<https://geo.example/api/v4/geo_sites?page=1&order=name&per_page=20>; rel="first"',
        '<https://geo.example/api/v4/geo_sites?page=3&order=name&per_page=20>; rel="last"',
      ].join(", "),
      "x-total": "45",
      "x-total-pages": "3",
      "x-page": "2",
      "x-per-page": "20",
      "x-next-page": "3",
      "x-prev-page": "1",
    });
  });

  test("of an only page name no neighbour", () => {
    expect(headers(3, { page: 1, perPage: 20 })).toMatchObject({
      "x-total-pages": "1",
      "x-next-page": "",
      "x-prev-page": "",
      link: expect.not.stringContaining('rel="next"') as string,
    });
  });

  test("of an empty list have a first page, and none in all", () => {
    expect(headers(0, { page: 1, perPage: 20 })).toMatchObject({
      "x-total": "0",
      "x-total-pages": "0",
      "x-next-page": "",
    });
  });

  test("beyond the last page lead back to it", () => {
    expect(headers(45, { page: 9, perPage: 20 })).toMatchObject({ "x-prev-page": "3", "x-next-page": "" });
  });
});
