# a host whose view lags loses the lease that it comes to; it worked all the same, and people might have vouched for its loss by then
blixard-sim 1
seed=557 hosts=5 vms=50 hours=0.5740469444444445 faults=host,store,clock,disk,network,qemu,operator world=3
81573 cut-requests 2 46 3315 8556827303830063010   # 81.5 s: cut-requests on h3 for 3.3 s
86158 host-crash 1 19 43262 14519874340232170631   # 86.1 s: host-crash on h2 for 43.2 s
761137 daemon-kill 3 27 593 8686142286917595667   # 761.1 s: daemon-kill on h4 for 0.5 s
762424 vm-label-if 1 8 0 13128406664007587251   # 762.4 s: vm-label-if vm-8, asked at h2
782206 daemon-pause 2 48 52350 1579652764327429549   # 782.2 s: daemon-pause on h3 for 52.3 s
794252 vm-stop 4 14 0 13780190538584644445   # 794.2 s: vm-stop vm-14, asked at h5
1862531 node-drain 4 3 0 16776425645710592503   # 1862.5 s: node-drain (host number 4), asked at h5
2001693 slow-watch 3 30 21996 2011207606020839677   # 2001.6 s: slow-watch on h4 for 21.9 s
2004867 vm-stop 2 25 0 9747926470637302573   # 2004.8 s: vm-stop vm-25, asked at h3
2005650 vm-delete 3 30 0 5826044725823473419   # 2005.6 s: vm-delete vm-30, asked at h4
2006569 cut 3 32 9957 13140531418342965085   # 2006.5 s: cut on h4 for 9.9 s
