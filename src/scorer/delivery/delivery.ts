import { Dispatcher } from "./dispatcher.ts";
import type { Delivery, DeliverySettings } from "./settings.ts";

export { Watchdog } from "./watchdog.ts";
export { isNoAnswer, type Delivery, type DeliverySettings } from "./settings.ts";

/** Brings images to a service in requests, and deals with what comes of them. Knows neither HTTP nor protocols. */
export function createDelivery<Item, A>(settings: DeliverySettings<Item, A>): Delivery<Item, A> {
  return new Dispatcher(settings);
}
