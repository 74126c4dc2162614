<#
.SYNOPSIS
Installs the driver package and makes the device.

.DESCRIPTION
Makes a device with the hardware id of the INF if there is none, with devgen or, if there is no devgen,
with devcon, both from the WDK; adds the package to the driver store and installs it; and waits until the
device works. Run again, it updates the driver and makes no second device.

Returns 0 if the device works, 3010 if Windows has to be started again first, and 1 if something failed.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.PARAMETER DevGen
Where devgen.exe or devcon.exe is, if it is neither beside this script, nor on the path, nor in an installed WDK.

.EXAMPLE
.\install.ps1

.EXAMPLE
.\install.ps1 -Package C:\driver_package -DevGen C:\tools\devgen.exe
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [string] $Package,
    [string] $DevGen
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

# Makes the device with the program that there is.
function New-Device {
    param([string] $Program, [hashtable] $Driver)
    if ((Split-Path -Path $Program -Leaf) -eq 'devcon.exe') {
        Invoke-Tool -Path $Program -Arguments 'install', $Driver.Inf, $Driver.HardwareId -Accept 0, 1 | Out-Null
        return
    }
    Invoke-Tool -Path $Program -Arguments '/add', '/bus', 'ROOT', '/hardwareid', $Driver.HardwareId | Out-Null
}

try {
    Write-Step 'the package'
    $driver = Get-Package -Folder $Package
    $image = Join-Path -Path $driver.Folder -ChildPath $driver.Image
    foreach ($file in $image, $driver.Catalog) {
        if (-not (Test-Path -LiteralPath $file)) {
            throw "$file is missing: the INF names it, and the package must have it"
        }
    }
    $signature = Get-AuthenticodeSignature -FilePath $image
    Write-Host "  the signature of the image: $($signature.Status)"
    if ($signature.Status -ne 'Valid') {
        throw "$($signature.StatusMessage) Run prepare.ps1 with this package"
    }
    if (-not (Test-TestSigning)) {
        throw 'Windows was not started with test signing: run prepare.ps1, and start Windows again'
    }

    Write-Step 'the device'
    if (@(Get-Device -Driver $driver | Where-Object { $_.Present }).Count -gt 0) {
        Write-Host '  is there already'
    } else {
        $program = Find-Program -Name 'devgen' -Given $DevGen
        if (-not $program) {
            $program = Find-Program -Name 'devcon'
        }
        if (-not $program) {
            throw 'no devgen.exe and no devcon.exe: copy one from the Tools of a WDK beside this script, or name it with -DevGen'
        }
        New-Device -Program $program -Driver $driver
    }

    Write-Step 'the driver'
    # 259: the driver that is installed is as good.
    Invoke-Tool -Path 'pnputil.exe' -Arguments '/add-driver', $driver.Inf, '/install' -Accept 0, 259, $RestartNeeded | Out-Null
    if ($LASTEXITCODE -eq $RestartNeeded) {
        Write-Step 'start Windows again'
        exit $RestartNeeded
    }

    Write-Step 'whether it works'
    $problem = { [int] (Get-TheDevice -Driver $driver).ConfigManagerErrorCode }
    $end = (Get-Date).AddSeconds(30)
    while (((& $problem) -ne 0) -and ((Get-Date) -lt $end)) {
        Start-Sleep -Milliseconds 500
    }
    Assert-DeviceWorks -Driver $driver
    Wait-Until { Test-DriverLoaded -Driver $driver } 'the driver is loaded'
    Write-Step 'installed: run smoke.ps1'
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
