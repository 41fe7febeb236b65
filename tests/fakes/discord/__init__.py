"""A strict wire-level fake of Discord's API v10 (REST, gateway, CDN); start at `fake.FakeDiscord`."""
