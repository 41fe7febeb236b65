"""Fakes of public market data: Binance and CoinGecko, without keys, as their documents of 2026 describe them.

Both refuse parameters that the real ones do not know; a scripted HttpFault or Silence answers the next request.
"""
