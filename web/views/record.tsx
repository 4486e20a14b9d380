import { useState } from "preact/hooks";
import type { CallProblem } from "../api.ts";
import { bytes, whole } from "../format.ts";
import { asProblem, useLoaded } from "../loading.ts";
import { announce } from "../parts/announcer.tsx";
import { Copyable, Fact, Heading, Link, Problem, Time, Waiting } from "../parts/basics.tsx";
import { Checksum } from "../parts/states.tsx";
import { checksumRecord, loadRecord } from "../records.ts";
import { keyOf } from "../registries.ts";
import { typeOfModel } from "../types.ts";

const EVERY_MS = 5_000;

/** One object of the primary with its checksum. */
export const RecordView = ({ model, identifier }: { readonly model: string; readonly identifier: string }) => {
  const [isBusy, setIsBusy] = useState(false);
  const [refused, setRefused] = useState<CallProblem>();
  const load = (signal: AbortSignal) => loadRecord(model, identifier, signal);
  const { value: record, problem, reload } = useLoaded(`${model} ${identifier}`, load, EVERY_MS);
  const checksum = async (): Promise<void> => {
    setIsBusy(true);
    setRefused(undefined);
    try {
      announce(await checksumRecord(model, identifier));
    } catch (error) {
      setRefused(asProblem(error));
    }
    setIsBusy(false);
    reload();
  };
  const information = record?.checksum_information;
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <Link to={{ view: "records", model }}>Data management: {typeOfModel(model).title}</Link>
      </nav>
      <Heading>{keyOf(identifier)}</Heading>
      <p class="actions">
        <button type="button" class="primary" disabled={isBusy} onClick={() => void checksum()}>
          {isBusy ? "Checksumming…" : "Checksum"}
        </button>
      </p>
      {refused !== undefined && <Problem problem={refused} />}
      {problem !== undefined && <Problem problem={problem} retry={reload} />}
      {record === undefined && problem === undefined && <Waiting what="the record" />}
      {record !== undefined && information !== undefined && (
        <div class="item">
          <section class="card" aria-labelledby="record">
            <h2 id="record">Record</h2>
            <dl class="facts">
              <Fact name="S3 key">
                <Copyable text={keyOf(identifier)} what="the key" />
              </Fact>
              <Fact name="Identifier">
                <Copyable text={identifier} what="the identifier" />
              </Fact>
              <Fact name="Class">{record.model_class}</Fact>
              <Fact name="Size">
                {record.file_size === null
                  ? "not known yet"
                  : `${bytes(record.file_size)} (${whole(record.file_size)} bytes)`}
              </Fact>
              <Fact name="First recorded">
                <Time at={record.created_at} exact />
              </Fact>
            </dl>
          </section>
          <section class="card" aria-labelledby="checksum">
            <h2 id="checksum">Checksum</h2>
            <dl class="facts">
              <Fact name="Status">
                <Checksum state={information.checksum_state} />
              </Fact>
              <Fact name="Checksum">
                {information.checksum === null ? (
                  <span class="faint">none yet</span>
                ) : (
                  <Copyable text={information.checksum} what="the checksum" />
                )}
              </Fact>
              <Fact name="Last made">
                <Time at={information.last_checksum} exact />
              </Fact>
              <Fact name="Next retry">
                {information.checksum_retry_at === null ? (
                  <span class="faint">none is needed</span>
                ) : (
                  <>
                    number {information.checksum_retry_count + 1}, <Time at={information.checksum_retry_at} exact />
                  </>
                )}
              </Fact>
              <Fact name="Error">{information.checksum_failure ?? <span class="faint">none</span>}</Fact>
            </dl>
          </section>
        </div>
      )}
    </>
  );
};
