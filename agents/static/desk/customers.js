// What the agent changes about a customer.
import { explain } from "./actions.js";
import { rest, store } from "./desk.js";
import { loadCustomer } from "./loads.js";
import { setUi, toast, ui } from "./ui.js";
import { t } from "./words.js";

/** @param {string} id @param {Record<string, any>} change */
export async function saveCustomer(id, change) {
  try {
    const customer = await rest.call(`customers/${id}`, { method: "PATCH", body: change });
    const known = ui.customers.get(id);
    ui.customers.set(id, { state: "done", chats: known?.chats || [], customer: { ...known?.customer, ...customer } });
    for (const { chat } of store.state.threads.values()) {
      if (chat?.customer?.id === id) chat.customer = { ...chat.customer, name: customer.name, email: customer.email, phone: customer.phone };
    }
    setUi();
    return true;
  } catch (error) {
    explain(error);
    return false;
  }
}

/** @param {string} id @param {boolean} block @param {string} [reason] */
export async function blockCustomer(id, block, reason = "") {
  try {
    await rest.call(`customers/${id}/${block ? "block" : "unblock"}`, { method: "POST", body: block ? { reason } : {} });
    setUi({ dialog: null });
    await loadCustomer(id, true);
    toast(t(block ? "customer.blocked_done" : "customer.unblocked_done"));
  } catch (error) {
    explain(error);
  }
}
