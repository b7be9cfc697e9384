"""FIFO by the same definitions over a networkx graph: the usual script.

usage: fifo_networkx.py TRANSFERS.csv THEFT_ROWS

TRANSFERS.csv has rows place,from,to,asset,amount in order; THEFT_ROWS is a file
with the places of the theft's transfers, all of one asset. Prints every holding
and the seconds of processor time that loading and tracing took, as JSON.
"""

import collections
import csv
import gc
import heapq
import json
import sys
import time

import networkx as nx

gc.disable()  # nothing here is cyclic; with it on, loading takes longer still
begin = time.process_time()
graph = nx.MultiDiGraph()
with open(sys.argv[1]) as f:
    for place, source, target, asset, amount in csv.reader(f):
        graph.add_edge(source, target, key=int(place), asset=sys.intern(asset), amount=int(amount))
loaded = time.process_time()
with open(sys.argv[2]) as f:
    theft = {int(line) for line in f}

edges = {}
for source, target, place, stolen in graph.edges(keys=True, data="asset"):
    if place in theft:
        edges[place] = (source, target)
        token = stolen


def rows(account):
    for source, _, place, data in graph.in_edges(account, keys=True, data=True):
        if data["asset"] == token:
            yield place, source, account, data["amount"]
    for _, target, place, data in graph.out_edges(account, keys=True, data=True):
        if data["asset"] == token and target != account:
            yield place, account, target, data["amount"]


def opening(account, before):
    balance = 0
    for place, source, target, amount in sorted(r for r in rows(account) if r[0] < before and r[1] != r[2]):
        balance = max(0, balance + (amount if target == account else -amount))
    return balance


books, heap, last = {}, [], -1
for place in sorted(theft):
    source, target = edges[place]
    heapq.heappush(heap, (place, source, target, graph[source][target][place]["amount"]))
while heap:
    place, source, target, amount = heapq.heappop(heap)
    if place == last:
        continue
    last = place
    if source == target or amount == 0:
        continue
    pieces, left = [], amount
    if source in books:
        lots = books[source]
        while left and lots:
            value, tainted = lots.popleft()
            taken = min(left, value)
            if taken < value:
                lots.appendleft((value - taken, tainted))
            pieces.append((taken, tainted))
            left -= taken
    if left:
        pieces.append((left, False))
    if place in theft:
        pieces = [(value, True) for value, _ in pieces]
    if any(tainted for _, tainted in pieces) and target not in books:
        books[target] = collections.deque([(opening(target, place), False)])
        for row in rows(target):
            if row[0] > place:
                heapq.heappush(heap, row)
    if target in books:
        books[target].extend(pieces)

holdings = {}
for account, lots in books.items():
    tainted = sum(value for value, mark in lots if mark)
    if tainted:
        holdings[account] = str(tainted)
end = time.process_time()
print(json.dumps({"holdings": holdings, "load": loaded - begin, "trace": end - loaded}))
