import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Asks before something is done. The browser's own dialog: it holds the focus, and Escape ends it. */
export const Confirm = ({
  title,
  does,
  isBusy,
  onConfirm,
  onClose,
  children,
}: {
  readonly title: string;
  /** What the button that does it is called. */
  readonly does: string;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="confirm-title"
      onCancel={(event) => {
        event.preventDefault();
        if (!isBusy) onClose();
      }}
    >
      <h2 id="confirm-title">{title}</h2>
      {children}
      <p class="actions">
        <button type="button" class="primary" disabled={isBusy} onClick={onConfirm}>
          {isBusy ? "One moment…" : does}
        </button>
        <button type="button" autofocus disabled={isBusy} onClick={onClose}>
          Cancel
        </button>
      </p>
    </dialog>
  );
};
