"""FIFO by the same definitions over a networkx graph: the usual script.

usage: fifo_networkx.py TRANSFERS.csv THEFT_ROWS

TRANSFERS.csv has rows place,from,to,amount of one asset, in order; THEFT_ROWS is
a file with the places of the theft's transfers. Prints what was read and every
holding, and the seconds that it took, as JSON.
"""

import collections
import csv
import heapq
import json
import sys
import time

import networkx as nx

begin = time.process_time()
graph = nx.MultiDiGraph()
with open(sys.argv[1]) as f:
    for place, source, target, amount in csv.reader(f):
        graph.add_edge(source, target, key=int(place), amount=int(amount))
with open(sys.argv[2]) as f:
    theft = {int(line) for line in f}

edges = {}
for source, target, place in graph.edges(keys=True):
    if place in theft:
        edges[place] = (source, target)


def activity(account, after):
    rows = [(k, s, t) for s, t, k in graph.in_edges(account, keys=True) if k > after]
    rows += [(k, s, t) for s, t, k in graph.out_edges(account, keys=True) if k > after and s != t]
    return sorted(rows)


def opening(account, before):
    balance = 0
    rows = [(k, 1, graph[s][t][k]["amount"]) for s, t, k in graph.in_edges(account, keys=True) if k < before and s != t]
    rows += [(k, -1, graph[s][t][k]["amount"]) for s, t, k in graph.out_edges(account, keys=True) if k < before and s != t]
    for _, sign, amount in sorted(rows):
        balance = max(0, balance + sign * amount)
    return balance


books, heap, read, last = {}, [], 0, -1
for place in sorted(theft):
    heapq.heappush(heap, (place, *edges[place]))
while heap:
    place, source, target = heapq.heappop(heap)
    if place == last:
        continue
    last = place
    amount = graph[source][target][place]["amount"]
    read += 1
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
        for row in activity(target, place):
            heapq.heappush(heap, row)
    if target in books:
        books[target].extend(pieces)

holdings = {}
for account, lots in books.items():
    tainted = sum(value for value, mark in lots if mark)
    if tainted:
        holdings[account] = str(tainted)
print(json.dumps({"read": read, "holdings": holdings, "seconds": time.process_time() - begin}))
