import { describe, expect, it } from "vitest";
import * as z from "zod";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { tokenKey } from "../../shared/tables/site/token-item.ts";
import { COUNTER_PARTITION } from "../../shared/tables/site/counter-item.ts";
import { asText, ofType, synthesize } from "./support/templates.ts";

const sites = synthesize(config).filter(({ template }) => ofType(template, "AWS::ApiGateway::RestApi").length > 0);

describe("the API of every site", () => {
  it("is there once, regional, and asks the authorizer about every method of every path", () => {
    expect(sites.map(({ name }) => name).sort()).toEqual([
      "s3-geo-ireland",
      "s3-geo-sydney",
      "s3-geo-tokyo",
      "s3-geo-virginia",
    ]);
    for (const { template } of sites) {
      const [api] = ofType(template, "AWS::ApiGateway::RestApi");
      expect(api?.Properties.EndpointConfiguration).toEqual({ Types: ["REGIONAL"] });
      const methods = ofType(template, "AWS::ApiGateway::Method");
      const open = methods.filter(({ Properties }) => Properties.AuthorizationType === "NONE");
      expect(open).toHaveLength(2); // the admin page, see below
      expect(methods).toHaveLength(4); // beside it the root and everything below
      for (const { Properties } of methods.filter((method) => !open.includes(method))) {
        expect(Properties).toMatchObject({ HttpMethod: "ANY", AuthorizationType: "CUSTOM" });
        expect(asText(Properties.AuthorizerId)).toBe(`{${ofType(template, "AWS::ApiGateway::Authorizer")[0]?.id}}`);
      }
    }
  });

  it("lets everybody load the admin page, which is another function's, has no rights and knows nothing (F94)", () => {
    for (const { template } of sites) {
      const methods = ofType(template, "AWS::ApiGateway::Method").filter(
        ({ Properties }) => Properties.AuthorizationType === "NONE",
      );
      const resources = new Map(
        ofType(template, "AWS::ApiGateway::Resource").map((one) => [`{${one.id}}`, one.Properties]),
      );
      const opened = methods.map(({ Properties }) => {
        const resource = resources.get(asText(Properties.ResourceId));
        const above = resources.get(asText(resource?.ParentId));
        return [Properties.HttpMethod, above?.PathPart, resource?.PathPart];
      });
      expect(new Set(opened)).toEqual(
        new Set([
          ["ANY", "admin", "{proxy+}"],
          ["GET", undefined, "admin"],
        ]),
      );
      const server = ofType(template, "AWS::Lambda::Function").find(({ Properties }) =>
        String(Properties.FunctionName).endsWith("-admin-page"),
      );
      for (const { Properties } of methods) expect(JSON.stringify(Properties.Integration)).toContain(`"${server?.id}"`);
      const role = asText(server?.Properties.Role).replace(/^\{|\.Arn\}$/g, "");
      const policies = ofType(template, "AWS::IAM::Policy").filter(({ Properties }) =>
        JSON.stringify(Properties.Roles).includes(`"${role}"`),
      );
      const actions = JSON.stringify(policies).match(/"[a-z0-9]+:[A-Z]\w+"/g);
      expect(new Set(actions)).toEqual(new Set(['"logs:CreateLogStream"', '"logs:PutLogEvents"']));
    }
  });

  it("lets the authorizer see every request: no identity source, which would all have to be there, and no cache", () => {
    for (const { template } of sites) {
      const [authorizer] = ofType(template, "AWS::ApiGateway::Authorizer");
      expect(authorizer?.Properties).toMatchObject({ Type: "REQUEST", AuthorizerResultTtlInSeconds: 0 });
      expect(authorizer?.Properties.IdentitySource ?? "").toBe("");
    }
  });

  it("refuses in GitLab's words", () => {
    for (const { template } of sites) {
      const answers = ofType(template, "AWS::ApiGateway::GatewayResponse").map(({ Properties }) => [
        Properties.ResponseType,
        (Properties.ResponseTemplates as Record<string, string>)["application/json"],
      ]);
      expect(Object.fromEntries(answers)).toEqual({
        UNAUTHORIZED: '{"message":"401 Unauthorized"}',
        ACCESS_DENIED: '{"message":"403 Forbidden"}',
        THROTTLED: '{"message":"429 Too Many Requests"}',
      });
    }
  });

  it("is throttled as configured and logs its requests without headers, so without tokens", () => {
    for (const { template } of sites) {
      const [stage] = ofType(template, "AWS::ApiGateway::Stage");
      expect(stage?.Properties).toMatchObject({
        StageName: "geo",
        MethodSettings: [
          {
            HttpMethod: "*",
            ResourcePath: "/*",
            ThrottlingRateLimit: 20,
            ThrottlingBurstLimit: 40,
            DataTraceEnabled: false,
          },
        ],
      });
      const { Format: format } = z.object({ Format: z.string() }).parse(stage?.Properties.AccessLogSetting);
      expect(format).toContain("$context.httpMethod");
      expect(format).not.toMatch(/header|authoriz/i);
    }
  });
});

describe("the partitions that rights on the site table are for", () => {
  it("are those that tokens and counters are kept in", () => {
    expect([COUNTER_PARTITION, tokenKey("hash").pk]).toEqual(["counter", "token"]);
  });
});
