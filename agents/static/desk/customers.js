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

/** Two records of one person become one; the chats on this desk follow. @param {string} gone @param {string} kept */
export async function mergeCustomers(gone, kept) {
  try {
    const customer = await rest.call(`customers/${gone}/merge`, { method: "POST", body: { into: kept } });
    for (const { chat } of store.state.threads.values()) {
      if (chat?.customer && [gone, kept].includes(chat.customer.id)) chat.customer = { ...chat.customer, ...shown(customer) };
    }
    ui.customers.delete(gone);
    setUi({ dialog: null });
    toast(t("merge.done"));
    await loadCustomer(kept, true);
  } catch (error) {
    explain(error);
  }
}

/** What a chat carries of its customer. @param {any} customer */
const shown = ({ id, name, email, phone, language, is_identified }) => ({ id, name, email, phone, language, is_identified });
