"""Work in the background: crons, times to live, expiry of events, webhooks."""
