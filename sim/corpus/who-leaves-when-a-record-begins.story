# between two decisions of a drain the controller began anew, for a new part of the record: the room kept for who was told to leave went to another
blixard-sim 1
seed=844 hosts=5 vms=50 hours=1 faults=host,store,clock,disk,network,qemu,operator world=3
1842604 vm-resize 4 5 0 12968921690431691329   # 1842.6 s: vm-resize vm-5, asked at h5
1842630 vm-pause 4 5 0 9624860441091459115   # 1842.6 s: vm-pause vm-5, asked at h5
1842657 vm-stop 4 5 0 11493348006477641574   # 1842.6 s: vm-stop vm-5, asked at h5
1842871 vm-read 4 43 0 10882749222120484106   # 1842.8 s: vm-read vm-43, asked at h5
1842926 vm-delete 1 24 0 13948744284791211704   # 1842.9 s: vm-delete vm-24, asked at h2
1843268 vm-create 3 5 0 13176086783460930157   # 1843.2 s: vm-create vm-5, asked at h4
1843353 vm-label 4 5 0 11548634327165930117   # 1843.3 s: vm-label vm-5, asked at h5
1843652 vm-label 3 15 0 13508139283309118067   # 1843.6 s: vm-label vm-15, asked at h4
1870826 vm-stop 0 23 0 17258078582289316555   # 1870.8 s: vm-stop vm-23, asked at h1
1963153 store-down 2 37 3839 14725084918397078210   # 1963.1 s: store-down on h3 for 3.8 s
1965408 vm-dies 2 40 0 14025383384211391901   # 1965.4 s: vm-dies on h3
2025595 vm-hangs 4 28 29157 5041560318576763764   # 2025.5 s: vm-hangs on h5 for 29.1 s
2026749 cut-replies 0 49 6333 2140428388098751294   # 2026.7 s: cut-replies on h1 for 6.3 s
2034447 vm-resume 3 17 0 14625997115993606417   # 2034.4 s: vm-resume vm-17, asked at h4
2049868 vm-create 3 35 0 9514468394318335770   # 2049.8 s: vm-create vm-35, asked at h4
2050716 quota-change 3 35 0 9191860942799806427   # 2050.7 s: quota-change, asked at h4
2050783 vm-label-if 3 25 0 10440238411089376319   # 2050.7 s: vm-label-if vm-25, asked at h4
2416371 daemon-pause 3 32 281 13564254441858850040   # 2416.3 s: daemon-pause on h4 for 0.2 s
2422635 vm-label-if 2 43 0 10845486868557502341   # 2422.6 s: vm-label-if vm-43, asked at h3
2422784 vm-read 4 25 0 16930978101922169522   # 2422.7 s: vm-read vm-25, asked at h5
2423565 daemon-kill 3 29 1637 3550013437809835564   # 2423.5 s: daemon-kill on h4 for 1.6 s
2428973 vm-read 4 44 0 12082349367146695360   # 2428.9 s: vm-read vm-44, asked at h5
2429322 vm-label 1 21 0 1934930861578154763   # 2429.3 s: vm-label vm-21, asked at h2
2648314 vm-pause 2 13 0 2238109942824075315   # 2648.3 s: vm-pause vm-13, asked at h3
2649232 daemon-pause 2 41 17142 16907643040130280822   # 2649.2 s: daemon-pause on h3 for 17.1 s
2662873 vm-resume 3 16 0 17039497200755388756   # 2662.8 s: vm-resume vm-16, asked at h4
2668836 vm-resize 4 23 0 13575611544211706946   # 2668.8 s: vm-resize vm-23, asked at h5
2668841 cut-replies 2 40 457 1412852144788596353   # 2668.8 s: cut-replies on h3 for 0.4 s
2674175 volume-change 3 49 0 12740623112427525569   # 2674.1 s: volume-change, asked at h4
2676438 vm-start 4 16 0 491003913882934938   # 2676.4 s: vm-start vm-16, asked at h5
2677492 vm-disks 2 40 0 101945546974088933   # 2677.4 s: vm-disks vm-40, asked at h3
2721318 node-uncordon 0 4 0 7497728677414196216   # 2721.3 s: node-uncordon (host number 5), asked at h1
2754098 vm-start 2 44 0 12586757197773054422   # 2754.0 s: vm-start vm-44, asked at h3
2792118 cut-requests 0 17 3694 17769757756300725291   # 2792.1 s: cut-requests on h1 for 3.6 s
2799610 vm-stop 4 8 0 11093906739452984575   # 2799.6 s: vm-stop vm-8, asked at h5
3330186 node-remove 3 13 143886 11523556070525612609   # 3330.1 s: node-remove on h4 for 143.8 s
3330474 vm-pause 3 40 0 9020556866905797311   # 3330.4 s: vm-pause vm-40, asked at h4
3331488 vm-stop 3 31 0 17561699428168475534   # 3331.4 s: vm-stop vm-31, asked at h4
3517339 vm-label 1 0 0 2649486281063626703   # 3517.3 s: vm-label vm-0, asked at h2
3518654 vm-resize 2 5 0 8665469645374100466   # 3518.6 s: vm-resize vm-5, asked at h3
3531392 upgrade 1 10 892 11817392003539392923   # 3531.3 s: upgrade on h2 for 0.8 s
3546757 vm-stop 1 47 0 6147464471239380744   # 3546.7 s: vm-stop vm-47, asked at h2
3546830 vm-read 1 47 0 2105555601121364218   # 3546.8 s: vm-read vm-47, asked at h2
3547003 vm-start 1 47 0 8329191165967574413   # 3547.0 s: vm-start vm-47, asked at h2
3548075 vm-stop 1 47 0 17309359294427821788   # 3548.0 s: vm-stop vm-47, asked at h2
3548391 vm-stop 1 10 0 14648921030269290078   # 3548.3 s: vm-stop vm-10, asked at h2
3549310 vm-disks 1 47 0 16032807940621515637   # 3549.3 s: vm-disks vm-47, asked at h2
3550107 daemon-kill 1 47 4159 18110048754920814889   # 3550.1 s: daemon-kill on h2 for 4.1 s
3550404 vm-stop 0 47 0 16732377860700534722   # 3550.4 s: vm-stop vm-47, asked at h1
3550685 slow-watch 4 47 16395 9864520782127593959   # 3550.6 s: slow-watch on h5 for 16.3 s
3553183 compact 1 47 3782 17665782756853131149   # 3553.1 s: compact on h2 for 3.7 s
3554291 vm-label-if 0 18 0 14375491651809545133   # 3554.2 s: vm-label-if vm-18, asked at h1
3587897 vm-label-if 4 25 0 6896679436895505859   # 3587.8 s: vm-label-if vm-25, asked at h5
